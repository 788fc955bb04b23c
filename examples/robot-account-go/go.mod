module robot-account

go 1.26.0

require (
	github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd v0.1.0
	github.com/pulumi/pulumi/sdk/v3 v3.259.0
)
