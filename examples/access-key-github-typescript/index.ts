import * as cicd from "@pulumi-cicd/cicd";
import * as github from "@pulumi/github";
import * as pulumi from "@pulumi/pulumi";

// A robot account that may assume the roles under /cicd/.
const robot = new cicd.RobotAccount("robot", {
    userName: "cicd-bot",
    assumableRoles: ["cicd/*"],
});

// Its access key. The first update after 60 days creates a new key and delivers it. The old key works for 7 more days,
// and the first update after that deletes it.
const key = new cicd.AccessKey("robot", {
    userName: robot.userName,
    rotateEvery: "60d",
    previous: "deleted",
    handOver: "7d",
});

// The ID and the secret as one value. Two values would change one after the other.
const pair = pulumi.jsonStringify({
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
});

// A secret of a repository. Everybody who can push to the repository can read it.
new github.ActionsSecret("tools", {
    repository: "tools",
    secretName: "ROBOT_KEY",
    value: pair,
});

// A secret of an environment. Only jobs that the environment's rules admit can read it.
new github.ActionsEnvironmentSecret("shop", {
    repository: "shop",
    environment: "production",
    secretName: "ROBOT_KEY",
    value: pair,
});

// A secret of an organization, for two of its repositories.
new github.ActionsOrganizationSecret("acme", {
    secretName: "ROBOT_KEY",
    visibility: "selected",
    selectedRepositoryIds: [170033, 170034],
    value: pair,
});

export const accessKeyId = key.accessKeyId;
export const rotateAfter = key.rotateAfter;
