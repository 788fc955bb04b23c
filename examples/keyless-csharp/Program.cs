using System.Collections.Generic;
using Pulumi;
using PulumiCicd.Cicd;
using PulumiCicd.Cicd.Inputs;

return await Deployment.RunAsync(() =>
{
    // The account's trust in the tokens of GitHub Actions and of gitlab.com. It allows nothing by itself.
    var github = new OidcProvider("github", new OidcProviderArgs { Issuer = "https://token.actions.githubusercontent.com" });
    var gitlab = new OidcProvider("gitlab", new OidcProviderArgs { Issuer = "https://gitlab.com" });

    // An IAM user for the system that has no OpenID Connect. It may assume the role for staging, and do nothing else.
    var robot = new RobotAccount("robot", new RobotAccountArgs
    {
        UserName = "cicd-bot",
        GroupName = "PulumiStackUpdaters",
        AssumableRoles = { "cicd/staging" },
    });

    // The robot may assume this role, and so may jobs of the repository acme/shop that name the environment staging.
    var staging = new DeploymentRole("staging", new DeploymentRoleArgs
    {
        RoleName = "staging",
        Path = "/cicd/",
        Trusted = { robot.UserArn },
        TrustedJobs =
        {
            new TrustedJobArgs
            {
                Github = new GithubJobArgs
                {
                    Issuer = github.Issuer,
                    Repository = "acme/shop",
                    OwnerId = "4021",
                    RepositoryId = "170033",
                    Environment = "staging",
                },
            },
        },
        ManagedPolicyArns = { "arn:aws:iam::aws:policy/PowerUserAccess" },
    });

    // Only jobs of the repository that name the environment production may assume this one.
    var production = new DeploymentRole("production", new DeploymentRoleArgs
    {
        RoleName = "production",
        Path = "/cicd/",
        TrustedJobs =
        {
            new TrustedJobArgs
            {
                Github = new GithubJobArgs
                {
                    Issuer = github.Issuer,
                    Repository = "acme/shop",
                    OwnerId = "4021",
                    RepositoryId = "170033",
                    Environment = "production",
                },
            },
        },
        ManagedPolicyArns = { "arn:aws:iam::aws:policy/PowerUserAccess" },
    });

    // Only pipelines of the GitLab project acme/website for protected tags such as v1.2 may assume this one.
    var website = new DeploymentRole("website", new DeploymentRoleArgs
    {
        RoleName = "website",
        Path = "/cicd/",
        TrustedJobs =
        {
            new TrustedJobArgs
            {
                Gitlab = new GitlabJobArgs
                {
                    Issuer = gitlab.Issuer,
                    Project = "acme/website",
                    ProjectId = "51001",
                    Tag = "v*",
                    ProtectedRef = true,
                },
            },
        },
        ManagedPolicyArns = { "arn:aws:iam::aws:policy/AmazonS3FullAccess" },
    });

    return new Dictionary<string, object?>
    {
        ["userArn"] = robot.UserArn,
        ["stagingRoleArn"] = staging.RoleArn,
        ["productionRoleArn"] = production.RoleArn,
        ["productionTrustPolicy"] = production.TrustPolicy,
        ["websiteRoleArn"] = website.RoleArn,
    };
});
