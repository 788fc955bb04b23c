package rotation

import (
	"regexp"
	"strconv"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// maxDays bounds an interval at ten years. A longer one is a typing error, or no rotation.
const maxDays = 3650

const day = 24 * time.Hour

var (
	intervalRE = regexp.MustCompile(`^[1-9][0-9]{0,3}d$`)
	// daysRE matches days that are written in another way.
	daysRE = regexp.MustCompile(`^([0-9]+) *(|d|D|[dD]ays?)$`)
)

// ParseInterval reads an interval in days, from "1d" to "3650d". A day has 24 hours.
func ParseInterval(s string) (time.Duration, error) {
	if intervalRE.MatchString(s) {
		if days, err := strconv.Atoi(s[:len(s)-1]); err == nil && days <= maxDays {
			return time.Duration(days) * day, nil
		}
	}
	broken := rule.Broken("must be a number of days from 1d to 3650d, such as 90d")
	if days := daysRE.FindStringSubmatch(s); len(days) > 0 && intervalRE.MatchString(days[1]+"d") {
		return 0, broken.WithHint("%s", rule.DidYouMean(days[1]+"d"))
	}
	return 0, broken
}

// CheckInterval reports whether [ParseInterval] reads s.
func CheckInterval(s string) error {
	_, err := ParseInterval(s)
	return err
}
