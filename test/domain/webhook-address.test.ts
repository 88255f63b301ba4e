import { describe, expect, test } from 'vitest';
import { nothingAllowed, parseAllowList, refusalOfAddress } from '../../src/domain/webhook-address.js';

const allowed = (text: string) => {
  const list = parseAllowList(text);
  if (list === undefined) throw new Error(`${text} is no list`);
  return list;
};

describe('an address is refused for the network that it lies in', () => {
  test.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'carrierGradeNat'],
    ['100.100.100.200', 'carrierGradeNat'],
    ['169.254.169.254', 'linkLocal'],
    ['168.63.129.16', 'metadata'],
    ['192.0.0.192', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['224.0.0.1', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::127.0.0.1', 'unassigned'],
    ['::8.8.8.8', 'unassigned'],
    ['fe80::1%eth0', 'unknown'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:a00:1', 'private'],
    ['::ffff:0:127.0.0.1', 'rfc6145'],
    ['64:ff9b::7f00:1', 'rfc6052'],
    ['64:ff9b:1::a00:1', 'rfc6052'],
    ['2002:7f00:1::', '6to4'],
    ['2001:0:7f00:1::', 'teredo'],
    ['fe80::1', 'linkLocal'],
    ['fec0::1', 'deprecatedSiteLocal'],
    ['fc00::1', 'uniqueLocal'],
    ['fd00:ec2::254', 'uniqueLocal'],
    ['ff02::1', 'multicast'],
    ['100::1', 'discard'],
    ['4000::1', 'unassigned'],
    ['not an address', 'unknown'],
  ])('%s: %s', (address, refusal) => {
    expect(refusalOfAddress(address, nothingAllowed)).toBe(refusal);
  });

  test.each([
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700:4700::1111',
    '::ffff:8.8.8.8',
  ])('control: %s is in the public Internet', (address) => {
    expect(refusalOfAddress(address, nothingAllowed)).toBeNull();
  });
});

describe('what the operator allows', () => {
  test('is the network that is named, also as an IPv6 address that leads there, and nothing else', () => {
    const allow = allowed('10.1.0.0/16, [::1] ,169.254.169.254,[fd00::]/8');
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '::1', '169.254.169.254', 'fd12::1'])
      expect(refusalOfAddress(address, allow), address).toBeNull();
    for (const address of ['10.2.0.1', '169.254.169.253', '::2', '127.0.0.1'])
      expect(refusalOfAddress(address, allow), address).not.toBeNull();
  });

  test('is a name as URLs have it, whatever its spelling', () => {
    expect([...allowed('Receiver.Internal.,bücher.example').hosts]).toEqual([
      'receiver.internal',
      'xn--bcher-kva.example',
    ]);
  });

  test.each([
    '10.1/16',
    '10.0.0.0/33',
    '127.1',
    '0x7f000001',
    'a b',
    'http://a',
    'a:80',
    '-',
    '1.2.3.4.5',
    '*',
  ])('is refused where it is neither a name nor a network: %s', (text) => {
    expect(parseAllowList(text)).toBeUndefined();
  });

  test('may be nothing', () => {
    expect(allowed(' , ')).toEqual({ hosts: new Set(), networks: [] });
  });
});
