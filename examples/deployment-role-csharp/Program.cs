using System.Collections.Generic;
using Pulumi;
using PulumiCicd.Cicd;

return await Deployment.RunAsync(() =>
{
    // An IAM user that may assume the roles under /cicd/, and do nothing else.
    var robot = new RobotAccount("robot", new RobotAccountArgs
    {
        UserName = "cicd-bot",
        GroupName = "PulumiStackUpdaters",
        AssumableRoles = { "cicd/*" },
    });

    // One role for each deployment target, with its own permissions, which only the robot may assume.
    var staging = new DeploymentRole("staging", new DeploymentRoleArgs
    {
        RoleName = "staging",
        Path = "/cicd/",
        Trusted = { robot.UserArn },
        InlinePolicies = new Dictionary<string, object>
        {
            ["deploy"] = Policy(
                Allow("arn:aws:s3:::example-staging", "s3:ListBucket"),
                Allow("arn:aws:s3:::example-staging/*", "s3:PutObject", "s3:DeleteObject")),
        },
    });

    // In production nothing is deleted, sessions last an hour at most, and each has a name that begins with "gha-".
    var production = new DeploymentRole("production", new DeploymentRoleArgs
    {
        RoleName = "production",
        Path = "/cicd/",
        Trusted = { robot.UserArn },
        SessionNames = { "gha-*" },
        MaxSessionDuration = 3600,
        InlinePolicies = new Dictionary<string, object>
        {
            ["deploy"] = Policy(
                Allow("arn:aws:s3:::example-production", "s3:ListBucket"),
                Allow("arn:aws:s3:::example-production/*", "s3:PutObject")),
        },
    });

    return new Dictionary<string, object?>
    {
        ["userArn"] = robot.UserArn,
        ["stagingRoleArn"] = staging.RoleArn,
        ["productionRoleArn"] = production.RoleArn,
        ["productionTrustPolicy"] = production.TrustPolicy,
    };
});

// A policy document of statements.
static Dictionary<string, object> Policy(params Dictionary<string, object>[] statements) => new()
{
    ["Version"] = "2012-10-17",
    ["Statement"] = statements,
};

// A statement that allows actions on a resource.
static Dictionary<string, object> Allow(string resource, params string[] actions) => new()
{
    ["Effect"] = "Allow",
    ["Action"] = actions,
    ["Resource"] = resource,
};
