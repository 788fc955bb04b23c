package iam

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// An Account is an AWS account, as far as ARNs name it. Checks of a nil account, which is not known yet, check the form
// of a value only.
type Account struct {
	// Number is the account's number, 12 digits.
	Number string
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

// ParseCallerARN returns the account of the ARN that sts:GetCallerIdentity answers. The ARN carries
// the partition too, so that one call answers for both.
func ParseCallerARN(s string) (Account, error) {
	a, ok := parseARN(s)
	if !ok || !partitionRE.MatchString(a.partition) || !accountRE.MatchString(a.account) {
		return Account{}, rule.Broken("must be the ARN of a caller, such as arn:aws:iam::123456789012:user/NAME")
	}
	return Account{Number: a.account, Partition: a.partition}, nil
}

const policyARNForm = "must be the ARN of an IAM policy, such as arn:aws:iam::123456789012:policy/NAME " +
	"or arn:aws:iam::aws:policy/NAME"

// CheckPolicyARN reports whether s is the ARN of a managed policy that users and roles of the account can have: the
// account's own or one of AWS's, in the account's partition.
// Source: "IAM identifiers", section "IAM ARNs".
func (a *Account) CheckPolicyARN(s string) error {
	policy, err := parsePolicyARN(s)
	if err != nil || a == nil {
		return err
	}
	if policy.account != awsAccount && policy.account != a.Number {
		return rule.Broken("must be a policy of the account %s or one of AWS's", a.Number)
	}
	return a.checkPartition(policy)
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
		broken := rule.Broken(policyARNForm)
		if name := strings.TrimPrefix(strings.TrimPrefix(s, "aws:"), policyPrefix); CheckPolicyName(name) == nil {
			return arn{}, broken.WithHint("%s", rule.DidYouMean("arn:aws:iam::aws:"+policyPrefix+name))
		}
		return arn{}, broken
	}
	return a, nil
}

// OIDCProviderARN returns the ARN of the account's OpenID Connect provider for an issuer, which an account has at most
// one of. Source: IAM API Reference, "CreateOpenIDConnectProvider".
func (a Account) OIDCProviderARN(issuer string) string {
	resource := "oidc-provider/" + strings.TrimPrefix(issuer, "https://")
	return arn{a.Partition, "iam", "", a.Number, resource}.String()
}

// EntityARN returns the ARN of the account's user, group or role with a path, which may be empty, and a name. Source:
// "IAM identifiers", section "IAM ARNs".
func (a Account) EntityARN(kind, path, name string) string {
	return arn{a.Partition, "iam", "", a.Number, kind + cmp.Or(path, "/") + name}.String()
}

// checkPartition reports whether an ARN is in the partition of the account.
func (a *Account) checkPartition(other arn) error {
	if other.partition != a.Partition {
		return rule.Broken("must be in the account's partition %q: nothing reaches across partitions", a.Partition)
	}
	return nil
}

// splitName splits a path with a name at its end after the last slash.
func splitName(s string) (dir, name string) {
	i := strings.LastIndex(s, "/") + 1
	return s[:i], s[i:]
}

// CallerUser returns the name of the user who calls with an access key or a session token, by the caller's ARN, or an
// empty string for another caller.
func CallerUser(callerARN string) string {
	a, _ := parseARN(callerARN)
	if path, isUser := strings.CutPrefix(a.resource, "user/"); isUser && a.service == "iam" {
		return path[strings.LastIndex(path, "/")+1:]
	}
	return ""
}

// SessionRole returns the name of the role that a caller's ARN is a session of, or an empty string.
func SessionRole(callerARN string) string {
	a, ok := parseARN(callerARN)
	if !ok {
		return ""
	}
	role, _ := sessionRole(a)
	return role[strings.LastIndex(role, "/")+1:]
}
