import * as cicd from "@pulumi-cicd/cicd";

// The account's trust in the tokens of GitHub Actions and of gitlab.com. It allows nothing by itself.
const github = new cicd.OidcProvider("github", { issuer: "https://token.actions.githubusercontent.com" });
const gitlab = new cicd.OidcProvider("gitlab", { issuer: "https://gitlab.com" });

// An IAM user for the system that has no OpenID Connect. It may assume the role for staging, and do nothing else.
const robot = new cicd.RobotAccount("robot", {
    userName: "cicd-bot",
    groupName: "PulumiStackUpdaters",
    assumableRoles: ["cicd/staging"],
});

// The robot may assume this role, and so may jobs of the repository acme/shop that name the environment staging.
const staging = new cicd.DeploymentRole("staging", {
    roleName: "staging",
    path: "/cicd/",
    trusted: [robot.userArn],
    trustedJobs: [
        {
            github: {
                issuer: github.issuer,
                repository: "acme/shop",
                ownerId: "4021",
                repositoryId: "170033",
                environment: "staging",
            },
        },
    ],
    managedPolicyArns: ["arn:aws:iam::aws:policy/PowerUserAccess"],
});

// Only jobs of the repository that name the environment production may assume this one.
const production = new cicd.DeploymentRole("production", {
    roleName: "production",
    path: "/cicd/",
    trustedJobs: [
        {
            github: {
                issuer: github.issuer,
                repository: "acme/shop",
                ownerId: "4021",
                repositoryId: "170033",
                environment: "production",
            },
        },
    ],
    managedPolicyArns: ["arn:aws:iam::aws:policy/PowerUserAccess"],
});

// Only pipelines of the GitLab project acme/website for protected tags such as v1.2 may assume this one.
const website = new cicd.DeploymentRole("website", {
    roleName: "website",
    path: "/cicd/",
    trustedJobs: [
        {
            gitlab: {
                issuer: gitlab.issuer,
                project: "acme/website",
                projectId: "51001",
                tag: "v*",
                protectedRef: true,
            },
        },
    ],
    managedPolicyArns: ["arn:aws:iam::aws:policy/AmazonS3FullAccess"],
});

export const userArn = robot.userArn;
export const stagingRoleArn = staging.roleArn;
export const productionRoleArn = production.roleArn;
export const productionTrustPolicy = production.trustPolicy;
export const websiteRoleArn = website.roleArn;
