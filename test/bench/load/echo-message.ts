const SIZE = 1024

/** A message of 1 KiB: field 1, bytes. */
export function echoMessage(): Buffer {
  const LENGTH_DELIMITED_FIELD_1 = 0x0a
  // 1024 as a varint.
  return Buffer.concat([Buffer.from([LENGTH_DELIMITED_FIELD_1, 0x80, 0x08]), Buffer.alloc(SIZE, 'x')])
}
