package iam

import "net/netip"

// CheckCIDR reports whether s is a range of IPv4 or IPv6 addresses in CIDR notation, such as
// 203.0.113.0/24 or 2001:db8::/32, with no bit set beyond its prefix.
// Source: "AWS global condition context keys", aws:SourceIp.
func CheckCIDR(s string) error {
	_, err := parseCIDR(s)
	return err
}

func parseCIDR(s string) (netip.Prefix, error) {
	const form = "must be a range of addresses in CIDR notation, such as 203.0.113.0/24 or 2001:db8::/32"
	p, err := netip.ParsePrefix(s)
	if err != nil {
		if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
			return netip.Prefix{}, hinted(quote(netip.PrefixFrom(addr, addr.BitLen()).String()), form)
		}
		return netip.Prefix{}, violationf(form)
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, violationf("must not be an IPv4 address written as IPv6")
	}
	if p != p.Masked() {
		return netip.Prefix{}, hinted(quote(p.Masked().String()), "must not have bits set beyond its prefix")
	}
	return p, nil
}
