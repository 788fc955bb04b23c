import * as cicd from "@pulumi-cicd/cicd";

// An IAM user without permissions of its own, in a group that allows nothing but assuming roles.
const robot = new cicd.RobotAccount("robot", {
    userName: "cicd-bot",
    groupName: "PulumiStackUpdaters",
});

export const userName = robot.userName;
export const userArn = robot.userArn;
export const groupName = robot.groupName;
export const policy = robot.policy;
