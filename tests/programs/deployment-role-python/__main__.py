import pulumi
import pulumi_cicd as cicd

# A deployment role whose inline policies are the configuration's.
role = cicd.DeploymentRole(
    "role",
    trusted=["arn:aws:iam::123456789012:user/bot"],
    inline_policies=pulumi.Config().require_object("policies"),
)

pulumi.export("roleArn", role.role_arn)
