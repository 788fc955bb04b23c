// The compiler accepts outputs of other resources as whole inputs, as elements of lists and as values of maps.
using Pulumi;
using PulumiCicd.Cicd;

internal static class Right
{
    internal static RobotAccount Robot(Output<string> roleArn) => new("robot", new RobotAccountArgs
    {
        UserName = roleArn,
        AssumableRoles = { roleArn, "deploy", Output.Format($"cicd/{roleArn}") },
        SourceIps = new[] { "203.0.113.0/24" },
        Tags = { ["owner"] = roleArn, ["purpose"] = "robot" },
        ForceDestroy = true,
    });
}
