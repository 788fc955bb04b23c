import * as cicd from "@pulumi-cicd/cicd";

// A robot account that may assume the roles under /cicd/.
const robot = new cicd.RobotAccount("robot", {
    userName: "cicd-bot",
    assumableRoles: ["cicd/*"],
});

// Its access key. The first update after 60 days creates a new key. The old key works for 7 more days, and the first
// update after that deletes it. Secrets Manager and SSM hold the current key.
const key = new cicd.AccessKey("robot", {
    userName: robot.userName,
    rotateEvery: "60d",
    previous: "deleted",
    handOver: "7d",
    secretsManager: { name: "cicd/cicd-bot" },
    ssmPath: "/cicd/cicd-bot",
});

export const accessKeyId = key.accessKeyId;
export const secretAccessKey = key.secretAccessKey;
export const previousAccessKeyId = key.previousAccessKeyId;
export const rotatedAt = key.rotatedAt;
export const rotateAfter = key.rotateAfter;
export const secretArn = key.secretArn;
export const ssmParameterNames = key.ssmParameterNames;
