package main

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// partition is a closed part of AWS with accounts, ARNs and a domain of its own.
type partition struct {
	name, dnsSuffix string
	regions         *regexp.Regexp
}

var partitions = []partition{
	{"aws", "amazonaws.com", regexp.MustCompile(`^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$`)},
	{"aws-cn", "amazonaws.com.cn", regexp.MustCompile(`^cn-\w+-\d+$`)},
	{"aws-us-gov", "amazonaws.com", regexp.MustCompile(`^us-gov-\w+-\d+$`)},
	{"aws-iso", "c2s.ic.gov", regexp.MustCompile(`^us-iso-\w+-\d+$`)},
	{"aws-iso-b", "sc2s.sgov.gov", regexp.MustCompile(`^us-isob-\w+-\d+$`)},
	{"aws-iso-e", "cloud.adc-e.uk", regexp.MustCompile(`^eu-isoe-\w+-\d+$`)},
	{"aws-iso-f", "csp.hci.ic.gov", regexp.MustCompile(`^us-isof-\w+-\d+$`)},
}

// partitionOf is the partition that a region is in; aws and false for a region of no known form.
func partitionOf(region string) (partition, bool) {
	for _, part := range partitions {
		if part.regions.MatchString(region) {
			return part, true
		}
	}
	return partitions[0], false
}

func partitionNamed(name string) partition {
	for _, part := range partitions {
		if part.name == name {
			return part
		}
	}
	return partitions[0]
}

// reverseDNSPrefix is the partition's domain from its end, as in names of VPC endpoints.
func (part partition) reverseDNSPrefix() string {
	labels := strings.Split(part.dnsSuffix, ".")
	slices.Reverse(labels)
	return strings.Join(labels, ".")
}

// getPartition needs no API call: the region says it all.
var getPartition = functionType{
	token: "aws:index/getPartition:getPartition",
	doc:   "The AWS partition that the provider works in.",
	args:  unusedID,
	outputs: map[string]result{
		"dnsSuffix":        {doc: "The partition's domain."},
		"id":               {doc: "The partition's name."},
		"partition":        {doc: "The partition's name."},
		"reverseDnsPrefix": {doc: "The partition's domain from its end."},
	},
	call: func(_ context.Context, c *awsClients, _ values) (values, error) {
		return values{
			"dnsSuffix":        property.New(c.partition.dnsSuffix),
			"id":               property.New(c.partition.name),
			"partition":        property.New(c.partition.name),
			"reverseDnsPrefix": property.New(c.partition.reverseDNSPrefix()),
		}, nil
	},
}
