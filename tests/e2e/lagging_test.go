package e2e

import (
	"os"
	"os/exec"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// TestWhileAWSLags runs tests of whole lives once more in accounts that tell of changes a second late.
func TestWhileAWSLags(t *testing.T) {
	t.Parallel()
	if os.Getenv(harness.LagVariable) != "" {
		return // This is that run.
	}
	// Those that switch keys are not among them: the AWS provider reads a switched key back at once, and keeps for the
	// next update what AWS says of it then.
	const lives = "^(TestAccessKeyGeneration|TestAccessKeyOfRenamedUser|TestDeploymentRoleInputs|" +
		"TestRobotDeploysUnderRoles|TestAliases)$"
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", lives, "-test.v", "-test.parallel", "3")
	cmd.Env = append(os.Environ(), harness.LagVariable+"=1s")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
