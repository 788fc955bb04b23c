import * as cicd from "@pulumi-cicd/cicd";

// An IAM user that may assume the roles under /cicd/, and do nothing else.
const robot = new cicd.RobotAccount("robot", {
    userName: "cicd-bot",
    groupName: "PulumiStackUpdaters",
    assumableRoles: ["cicd/*"],
});

// One role for each deployment target, with its own permissions, which only the robot may assume.
const staging = new cicd.DeploymentRole("staging", {
    roleName: "staging",
    path: "/cicd/",
    trusted: [robot.userArn],
    inlinePolicies: {
        deploy: {
            Version: "2012-10-17",
            Statement: [
                { Effect: "Allow", Action: ["s3:ListBucket"], Resource: "arn:aws:s3:::example-staging" },
                {
                    Effect: "Allow",
                    Action: ["s3:PutObject", "s3:DeleteObject"],
                    Resource: "arn:aws:s3:::example-staging/*",
                },
            ],
        },
    },
});

// In production nothing is deleted, sessions last an hour at most, and each has a name that begins with "gha-".
const production = new cicd.DeploymentRole("production", {
    roleName: "production",
    path: "/cicd/",
    trusted: [robot.userArn],
    sessionNames: ["gha-*"],
    maxSessionDuration: 3600,
    inlinePolicies: {
        deploy: {
            Version: "2012-10-17",
            Statement: [
                { Effect: "Allow", Action: ["s3:ListBucket"], Resource: "arn:aws:s3:::example-production" },
                { Effect: "Allow", Action: ["s3:PutObject"], Resource: "arn:aws:s3:::example-production/*" },
            ],
        },
    },
});

export const userArn = robot.userArn;
export const stagingRoleArn = staging.roleArn;
export const productionRoleArn = production.roleArn;
export const productionTrustPolicy = production.trustPolicy;
