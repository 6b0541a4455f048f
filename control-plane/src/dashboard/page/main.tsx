import { render } from 'preact'
import { App } from './app.tsx'
import { connect } from './state/live.ts'
import './styles/base.css'
import './styles/controls.css'
import './styles/loom.css'
import './styles/tables.css'
import './styles/waterfall.css'

const root = document.getElementById('app')
if (root !== null) {
  connect()
  render(<App />, root)
}
