// The type checker accepts outputs of other resources as whole inputs, as elements of lists and as values of maps.
import * as pulumi from "@pulumi/pulumi";
import * as cicd from "@pulumi-cicd/cicd";

const role: { arn: pulumi.Output<string> } = { arn: pulumi.output("arn:aws:iam::123456789012:role/deploy") };

const robot = new cicd.RobotAccount("robot", {
    userName: pulumi.output("cicd-bot"),
    assumableRoles: [role.arn, "deploy", pulumi.interpolate`cicd/${role.arn}`, Promise.resolve("build")],
    sourceIps: pulumi.output(["203.0.113.0/24"]),
    tags: { owner: role.arn, purpose: "robot" },
    forceDestroy: pulumi.output(true),
}, { protect: true });

// No output is optional.
export const outputs: pulumi.Output<string>[] = [
    robot.userName, robot.userArn, robot.userUniqueId,
    robot.groupName, robot.groupArn, robot.groupUniqueId,
    robot.policyName, robot.policy,
];

// No input is required.
new cicd.RobotAccount("defaults");
