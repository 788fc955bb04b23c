package iam

import (
	"net/netip"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// CheckCIDR reports whether s is a range of IPv4 or IPv6 addresses in CIDR notation, such as
// 203.0.113.0/24 or 2001:db8::/32, with no bit set beyond its prefix.
// Source: "AWS global condition context keys", aws:SourceIp.
func CheckCIDR(s string) error {
	_, err := ParseCIDR(s)
	return err
}

// ParseCIDR reads a range of addresses, as [CheckCIDR] takes it.
func ParseCIDR(s string) (netip.Prefix, error) {
	const form = "must be a range of addresses in CIDR notation, such as 203.0.113.0/24 or 2001:db8::/32"
	p, err := netip.ParsePrefix(s)
	if err != nil {
		if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
			meant := netip.PrefixFrom(addr, addr.BitLen()).String()
			return netip.Prefix{}, rule.Broken(form).WithHint("%s", rule.DidYouMean(meant))
		}
		return netip.Prefix{}, rule.Broken(form)
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, rule.Broken("must not be an IPv4 address written as IPv6")
	}
	if p != p.Masked() {
		return netip.Prefix{}, rule.Broken("must not have bits set beyond its prefix").
			WithHint("%s", rule.DidYouMean(p.Masked().String()))
	}
	return p, nil
}

// ParseCIDRs reads several ranges of addresses.
func ParseCIDRs(texts []string) ([]netip.Prefix, error) { return parseAll(texts, ParseCIDR) }
