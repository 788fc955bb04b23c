using System.Collections.Generic;
using Pulumi;
using PulumiCicd.Cicd;
using PulumiCicd.Cicd.Inputs;

return await Deployment.RunAsync(() =>
{
    // A robot account that may assume the roles under /cicd/.
    var robot = new RobotAccount("robot", new RobotAccountArgs
    {
        UserName = "cicd-bot",
        AssumableRoles = { "cicd/*" },
    });

    // Its access key. The first update after 60 days creates a new key. The old key works for 7 more days, and the
    // first update after that deletes it. Secrets Manager and SSM hold the current key.
    var key = new AccessKey("robot", new AccessKeyArgs
    {
        UserName = robot.UserName,
        RotateEvery = "60d",
        Previous = PreviousKey.Deleted,
        HandOver = "7d",
        SecretsManager = new AccessKeySecretArgs { Name = "cicd/cicd-bot" },
        SsmPath = "/cicd/cicd-bot",
    });

    return new Dictionary<string, object?>
    {
        ["accessKeyId"] = key.AccessKeyId,
        ["secretAccessKey"] = key.SecretAccessKey,
        ["previousAccessKeyId"] = key.PreviousAccessKeyId,
        ["rotatedAt"] = key.RotatedAt,
        ["rotateAfter"] = key.RotateAfter,
        ["secretArn"] = key.SecretArn,
        ["ssmParameterNames"] = key.SsmParameterNames,
    };
});
