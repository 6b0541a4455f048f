import type { ComponentChildren } from 'preact'
import { useLocation } from 'preact-iso'

interface SvgLinkProps {
  readonly href: string
  /** What a screen reader says. */
  readonly spoken: string
  readonly class: string
  readonly children: ComponentChildren
}

/** A link inside a picture. preact-iso routes HTML links by itself, and does not see those of SVG. */
export function SvgLink({ href, spoken, class: className, children }: SvgLinkProps) {
  const { route } = useLocation()
  const follow = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    route(href)
  }
  return (
    <a class={className} href={href} aria-label={spoken} onClick={follow}>
      {children}
    </a>
  )
}
