/** The resources that a page of the documents shows, so that tests can take the reader's part. */

interface ResourceBlock {
  readonly text: string
  /** Of the fence, from 1. */
  readonly line: number
}

const BLOCK = /^( *)```ya?ml *\n([\s\S]*?)^\1```/gm

/** Every fenced YAML block that holds resources; one that shows a part of something, or a file of another kind, does not. */
export function resourceBlocks(markdown: string): readonly ResourceBlock[] {
  return [...markdown.matchAll(BLOCK)]
    .map(([, indent = '', body = ''], at, all) => ({
      text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      line: markdown.slice(0, all[at]?.index).split('\n').length,
    }))
    .filter(({ text }) => /^apiVersion:/m.test(text))
}
