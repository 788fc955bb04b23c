// AWS credentials for CI/CD systems: roles for jobs that sign in with OpenID Connect, and for systems without it, robot accounts that may assume roles and nothing else, with access keys that rotate.
package cicd
