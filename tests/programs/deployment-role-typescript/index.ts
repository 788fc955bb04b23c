import * as cicd from "@pulumi-cicd/cicd";
import * as pulumi from "@pulumi/pulumi";

// A deployment role whose inline policies are the configuration's.
const role = new cicd.DeploymentRole("role", {
    trusted: ["arn:aws:iam::123456789012:user/bot"],
    inlinePolicies: new pulumi.Config().requireObject<Record<string, unknown>>("policies"),
});

export const roleArn = role.roleArn;
