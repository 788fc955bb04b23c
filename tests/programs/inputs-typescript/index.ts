import * as cicd from "@pulumi-cicd/cicd";
import * as pulumi from "@pulumi/pulumi";

// A robot account whose inputs are the configuration's.
const robot = new cicd.RobotAccount("robot", new pulumi.Config().requireObject<cicd.RobotAccountArgs>("inputs"));

export const userName = robot.userName;
export const userArn = robot.userArn;
export const groupName = robot.groupName;
export const policy = robot.policy;
