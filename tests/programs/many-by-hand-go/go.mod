module many-by-hand

go 1.26.0

require (
	github.com/pulumi/pulumi-aws/sdk/v6 v6.83.4
	github.com/pulumi/pulumi/sdk/v3 v3.259.0
)
