package serve

import (
	"sync"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

// An object is something in an AWS account that components name, in a deployment.
type object struct {
	monitor string
	account iam.Account
	name    string
}

// A claim is a component's claim to an object.
type claim struct {
	component string
	adopts    bool
}

// claims are the first claims to objects.
type claims struct {
	mu    sync.Mutex
	first map[object]claim
}

// Claim claims an object of an account for a component, which adopts the object or makes it, once in a deployment. If
// another component has claimed the object before, and one of the two adopts it, it returns the other component: both
// would own the object, and the first that is deleted would delete it for the other.
func (d *Deployment) Claim(account iam.Account, name, component string, adopts bool) (other string) {
	c, key := &d.session.claims, object{d.aws.monitor, account, name}
	c.mu.Lock()
	defer c.mu.Unlock()
	first, claimed := c.first[key]
	if !claimed {
		if c.first == nil {
			c.first = map[object]claim{}
		}
		c.first[key] = claim{component, adopts}
	}
	if claimed && (first.adopts || adopts) {
		return first.component
	}
	return ""
}
