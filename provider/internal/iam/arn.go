package iam

import (
	"regexp"
	"strings"
)

// Identity is who a caller is: the parts of the answer of sts:GetCallerIdentity that ARNs are made of.
type Identity struct {
	// Account is the account's number, 12 digits.
	Account string
	// Partition is the group of regions that the account belongs to: aws, aws-cn, aws-us-gov, ...
	Partition string
}

// arn is an Amazon Resource Name, split at its colons.
// Source: "Identify AWS resources with Amazon Resource Names (ARNs)".
type arn struct{ partition, service, region, account, resource string }

var (
	partitionRE = regexp.MustCompile(`^aws(-[a-z0-9]+)*$`)
	accountRE   = regexp.MustCompile(`^[0-9]{12}$`)
)

func parseARN(s string) (arn, bool) {
	f := strings.SplitN(s, ":", 6)
	if len(f) != 6 || f[0] != "arn" {
		return arn{}, false
	}
	return arn{partition: f[1], service: f[2], region: f[3], account: f[4], resource: f[5]}, true
}

func (a arn) String() string {
	return strings.Join([]string{"arn", a.partition, a.service, a.region, a.account, a.resource}, ":")
}

// isIAM reports whether a is an ARN of the IAM service, which has no region.
func (a arn) isIAM() bool {
	return partitionRE.MatchString(a.partition) && a.service == "iam" && a.region == ""
}

// ParseCallerARN returns the identity that an ARN given by sts:GetCallerIdentity stands for. The ARN carries
// the partition too, so that one call answers for both.
func ParseCallerARN(s string) (Identity, error) {
	a, ok := parseARN(s)
	if !ok || !partitionRE.MatchString(a.partition) || !accountRE.MatchString(a.account) {
		return Identity{}, violationf("must be the ARN of a caller, such as arn:aws:iam::123456789012:user/NAME")
	}
	return Identity{Account: a.account, Partition: a.partition}, nil
}

const policyARNForm = "must be the ARN of an IAM policy, such as arn:aws:iam::123456789012:policy/NAME " +
	"or arn:aws:iam::aws:policy/NAME"

// CheckPolicyARN reports whether s is the ARN of a managed policy, an account's own or one of AWS's.
// Source: "IAM identifiers", section "IAM ARNs".
func CheckPolicyARN(s string) error {
	_, err := parsePolicyARN(s)
	return err
}

// CheckPolicyUsableBy returns a check like [CheckPolicyARN], which besides reports whether a user of the
// account and partition of id can have the policy: it is the account's own, or one of AWS's, in the same
// partition.
func CheckPolicyUsableBy(id Identity) func(string) error { return checkPolicyUsable(id, "robot") }

// CheckPolicyUsableByRole returns a check like that of [CheckPolicyUsableBy], for a role.
func CheckPolicyUsableByRole(id Identity) func(string) error { return checkPolicyUsable(id, "role") }

// checkPolicyUsable returns the check of a policy for the owner, which is named in errors only.
func checkPolicyUsable(id Identity, owner string) func(string) error {
	return func(s string) error {
		a, err := parsePolicyARN(s)
		if err != nil {
			return err
		}
		if a.account != awsAccount && a.account != id.Account {
			return violationf("must be a policy of the %s's own account, %s, or one of AWS's", owner, id.Account)
		}
		return checkPartition(a, id, owner)
	}
}

// PolicyKey returns the part of a managed policy's ARN that tells it apart from all others that one role can have:
// its path and name for a policy of the role's own account, such as cicd/deploy, and those after "aws:" for one
// of AWS's. No path or name has a colon, so that no two such ARNs have the same key.
func PolicyKey(s string) (string, error) {
	a, err := parsePolicyARN(s)
	if err != nil {
		return "", err
	}
	key := strings.TrimPrefix(a.resource, policyPrefix)
	if a.account == awsAccount {
		key = awsAccount + ":" + key
	}
	return key, nil
}

// awsAccount stands for the account number in the ARNs of AWS's own policies.
const awsAccount = "aws"

// policyPrefix begins the last part of the ARN of a managed policy.
const policyPrefix = "policy/"

func parsePolicyARN(s string) (arn, error) {
	a, ok := parseARN(s)
	path, isPolicy := strings.CutPrefix(a.resource, policyPrefix)
	dir, name := splitName("/" + path)
	if !ok || !isPolicy || !a.isIAM() || (a.account != awsAccount && !accountRE.MatchString(a.account)) ||
		CheckPath(dir) != nil || CheckPolicyName(name) != nil {
		return arn{}, violationf(policyARNForm)
	}
	return a, nil
}

// checkPartition reports whether a is in the partition of id, which is that of the owner.
func checkPartition(a arn, id Identity, owner string) error {
	if a.partition != id.Partition {
		return violationf("must be in the %s's own partition %q: nothing reaches across partitions",
			owner, id.Partition)
	}
	return nil
}

// splitName splits a path with a name at its end after the last slash.
func splitName(s string) (dir, name string) {
	i := strings.LastIndex(s, "/") + 1
	return s[:i], s[i:]
}
