import { serve } from './serve.ts'

serve((path) => (path === '/ratings/0' ? { json: { Reviewer1: 5, Reviewer2: 4 } } : undefined))
