import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isForbiddenAddress } from './forbidden-address.ts'

test('this host, its links and the metadata services of clouds are forbidden', () => {
  for (const address of [
    '127.0.0.1',
    '127.1.2.3',
    '0.0.0.0',
    '169.254.169.254',
    '169.254.170.2',
    '224.0.0.1',
    '255.255.255.255',
    '100.100.100.200',
    '192.0.0.192',
    '168.63.129.16',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    'fd00:ec2::254',
  ])
    assert.equal(isForbiddenAddress(address), true, address)
})

test('so are the same in the dress of IPv6', () => {
  for (const address of [
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::169.254.169.254',
  ])
    assert.equal(isForbiddenAddress(address), true, address)
})

test('public and private networks are not: a private one may well be where a service outside of the mesh is', () => {
  for (const address of [
    '203.0.113.7',
    '10.0.0.1',
    '192.168.1.1',
    '172.16.0.1',
    '2001:db8::1',
    'fd12::1',
    '::ffff:10.0.0.1',
  ])
    assert.equal(isForbiddenAddress(address), false, address)
})

test('what is no address is not allowed either', () => {
  for (const address of ['', 'localhost', '127.1', '2130706433', '0x7f000001', '1.2.3', '[::1]'])
    assert.equal(isForbiddenAddress(address), true, address)
})
