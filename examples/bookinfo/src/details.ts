import { serve } from './serve.ts'

serve((path) =>
  path === '/details/0'
    ? { json: { title: 'The Comedy of Errors', author: 'William Shakespeare', year: 1595, pages: 200 } }
    : undefined,
)
