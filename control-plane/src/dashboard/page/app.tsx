import { LocationProvider, Route, Router, useLocation } from 'preact-iso'
import { LoomPage } from './loom/loom-page.tsx'
import { ConnectionBanner } from './parts/connection-banner.tsx'
import { StatusStrip } from './parts/status-strip.tsx'
import { words } from './strings.ts'
import { TracePage } from './trace/trace-page.tsx'
import { TracesPage } from './traces/traces-page.tsx'

export function App() {
  return (
    <LocationProvider>
      <a class="skip" href="#main">
        {words.skip}
      </a>
      <Header />
      <ConnectionBanner />
      <main id="main" tabIndex={-1}>
        <Router>
          <Route path="/" component={LoomPage} />
          <Route path="/traces" component={TracesPage} />
          <Route path="/traces/:id" component={TracePage} />
          <Route default component={NotFound} />
        </Router>
      </main>
    </LocationProvider>
  )
}

function Header() {
  const { path } = useLocation()
  return (
    <header class="top">
      <span class="brand">{words.brand}</span>
      <nav aria-label={words.navigation}>
        <a href="/" aria-current={path === '/' ? 'page' : undefined}>
          {words.graph}
        </a>
        <a href="/traces" aria-current={path.startsWith('/traces') ? 'page' : undefined}>
          {words.traces}
        </a>
      </nav>
      <StatusStrip />
    </header>
  )
}

function NotFound() {
  return (
    <p class="empty">
      {words.notFound} <a href="/">{words.graph}</a>
    </p>
  )
}
