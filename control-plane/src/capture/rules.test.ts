import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CaptureOptions, iptablesText, nftText } from './rules.ts'

const OPTIONS: CaptureOptions = {
  outboundPort: 15_001,
  inboundPort: 15_006,
  uid: 1337,
  excludedOutboundPorts: [22],
  excludedRanges: ['10.1.0.0/16', 'fd00::/8'],
  excludedInboundPorts: [15_020],
}

test('iptables leaves out the sidecar, loopback and what is excluded, in this order, and takes the rest', () => {
  assert.equal(
    iptablesText(OPTIONS, 'ipv4'),
    `*nat
:WEFT_OUTPUT - [0:0]
:WEFT_INBOUND - [0:0]
-A WEFT_OUTPUT -m owner --uid-owner 1337 -j RETURN
-A WEFT_OUTPUT -d 127.0.0.0/8 -j RETURN
-A WEFT_OUTPUT -d 10.1.0.0/16 -j RETURN
-A WEFT_OUTPUT -p tcp --dport 22 -j RETURN
-A WEFT_OUTPUT -p tcp -j REDIRECT --to-ports 15001
-A WEFT_INBOUND -p tcp --dport 15006 -j RETURN
-A WEFT_INBOUND -p tcp --dport 15020 -j RETURN
-A WEFT_INBOUND -p tcp -j REDIRECT --to-ports 15006
COMMIT
`,
  )
})

test('each family has the ranges of its own', () => {
  const rules = iptablesText(OPTIONS, 'ipv6')
  assert.match(rules, /-d ::1\/128 -j RETURN\n-A WEFT_OUTPUT -d fd00::\/8 -j RETURN/)
  assert.doesNotMatch(rules, /10\.1|127\.0/)
})

test('without inbound nothing that comes in is touched', () => {
  const rules = { ...OPTIONS, inboundPort: undefined }
  assert.doesNotMatch(iptablesText(rules, 'ipv4'), /-A WEFT_INBOUND/)
  assert.doesNotMatch(nftText(rules), /prerouting/)
})

test('nft makes its table anew in one step', () => {
  assert.equal(
    nftText(OPTIONS),
    `table inet weft {}
delete table inet weft
table inet weft {
  chain output {
    type nat hook output priority -100;
    meta skuid 1337 return
    ip daddr 127.0.0.0/8 return
    ip daddr 10.1.0.0/16 return
    ip6 daddr ::1/128 return
    ip6 daddr fd00::/8 return
    tcp dport 22 return
    meta l4proto tcp redirect to :15001
  }
  chain inbound {
    type nat hook prerouting priority dstnat;
    tcp dport 15006 return
    tcp dport 15020 return
    meta l4proto tcp redirect to :15006
  }
}
`,
  )
})
