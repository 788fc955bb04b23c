import * as cicd from "@pulumi-cicd/cicd";

// A robot account for the roles under /cicd/, with an access key. The first update after 90 days rotates the key. The
// one before it goes on working until the next rotation. Secrets Manager and SSM hold the current one.
const robot = new cicd.RobotAccount("robot", {
    userName: "cicd-bot",
    assumableRoles: ["cicd/*"],
    accessKey: {
        rotateEvery: "90d",
        secretsManager: { name: "cicd/cicd-bot" },
        ssmPath: "/cicd/cicd-bot",
    },
});

export const accessKeyId = robot.accessKeyId;
export const secretAccessKey = robot.secretAccessKey;
export const previousAccessKeyId = robot.previousAccessKeyId;
export const accessKeyRotateAfter = robot.accessKeyRotateAfter;
export const secretArn = robot.secretArn;
export const ssmParameterNames = robot.ssmParameterNames;
