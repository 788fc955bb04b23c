using System.Collections.Generic;
using Pulumi;
using PulumiCicd.Cicd;
using PulumiCicd.Cicd.Inputs;

return await Deployment.RunAsync(() =>
{
    // A robot account for the roles under /cicd/, with an access key. The first update after 90 days rotates the key.
    // The one before it goes on working until the next rotation. Secrets Manager and SSM hold the current one.
    var robot = new RobotAccount("robot", new RobotAccountArgs
    {
        UserName = "cicd-bot",
        AssumableRoles = { "cicd/*" },
        AccessKey = new AccessKeyArgs
        {
            RotateEvery = "90d",
            SecretsManager = new AccessKeySecretArgs { Name = "cicd/cicd-bot" },
            SsmPath = "/cicd/cicd-bot",
        },
    });

    return new Dictionary<string, object?>
    {
        ["accessKeyId"] = robot.AccessKeyId,
        ["secretAccessKey"] = robot.SecretAccessKey,
        ["previousAccessKeyId"] = robot.PreviousAccessKeyId,
        ["accessKeyRotateAfter"] = robot.AccessKeyRotateAfter,
        ["secretArn"] = robot.SecretArn,
        ["ssmParameterNames"] = robot.SsmParameterNames,
    };
});
