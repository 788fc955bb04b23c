module github.com/pulumi-cicd/pulumi-cicd/tests

go 1.26
