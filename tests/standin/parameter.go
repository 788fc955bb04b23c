package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// parameter is aws_ssm_parameter with a value that is a secret, whatever its type: the name and the type of the data
// replace.
var parameter = &resourceType{
	token: "aws:ssm/parameter:Parameter",
	doc:   "A parameter of Systems Manager.",
	props: map[string]prop{
		"name": {kind: kindString, doc: "The parameter's name; replaces.", autoname: true, forceNew: true},
		"type": {
			kind: kindString, doc: "String, StringList or SecureString; changed in place.", required: true,
			pattern: regexp.MustCompile(`^(String|StringList|SecureString)$`),
			hint:    "must be String, StringList or SecureString",
		},
		"value": {
			kind: kindString, doc: "The value; changed in place.", computed: true, secret: true,
			needed: `one of "insecureValue" and "value" must be specified`,
		},
		"description":    {kind: kindString, doc: "The description; changed in place.", optional: true},
		"allowedPattern": {kind: kindString, doc: "What values have to match; changed in place.", optional: true},
		"keyId": {
			kind: kindString, doc: "The key that the value is encrypted with; changed in place.", computed: true,
		},
		"tier": {
			kind: kindString, doc: "Standard or Advanced; back to Standard replaces.", computed: true, optional: true,
			pattern: regexp.MustCompile(`^(Standard|Advanced)$`),
			hint:    "must be Standard or Advanced; Intelligent-Tiering is not implemented by this stand-in for the aws plugin",
			replacesIf: func(old, now property.Value) bool {
				return str(old) == string(types.ParameterTierAdvanced) && str(now) == string(types.ParameterTierStandard)
			},
		},
		"dataType": {
			kind: kindString, doc: "The type of the data; replaces.", computed: true, forceNew: true,
			pattern: regexp.MustCompile(`^(text|aws:ec2:image|aws:ssm:integration)$`),
			hint:    "must be text, aws:ec2:image or aws:ssm:integration",
		},
		"overwrite": {
			kind: kindBool, doc: "Whether to take over a parameter that exists; by default that of an update.", optional: true,
		},
		"tags":    {kind: kindStringMap, doc: "The parameter's tags; changed in place.", optional: true},
		"tagsAll": {kind: kindStringMap, doc: "The parameter's tags with the provider's default tags.", output: true},
		"arn":     {kind: kindString, doc: "The parameter's ARN.", output: true},
		"version": {kind: kindInt, doc: "The number of times that the parameter was put.", output: true},
	},
	unserved: []string{"arn", "insecureValue", "valueWo", "valueWoVersion"},
	create: func(ctx context.Context, c *awsClients, in values) (string, error) {
		name := str(in["name"])
		request := putParameter(name, in, boolean(in["overwrite"]))
		request.DataType = stringOrNil(in["dataType"])
		request.Description = stringOrNil(in["description"])
		request.Tier = types.ParameterTier(str(in["tier"]))
		if request.Type == types.ParameterTypeSecureString {
			request.KeyId = stringOrNil(in["keyId"])
		}
		// AWS takes no tags for a parameter that may exist.
		tags := apiTags(strMap(in["tagsAll"]), parameterTag)
		if !*request.Overwrite {
			request.Tags = tags
		}
		if _, err := c.ssm.PutParameter(ctx, request); err != nil {
			return "", fmt.Errorf("creating SSM Parameter (%s): %w", name, err)
		}
		if *request.Overwrite && len(tags) > 0 {
			if err := tagParameter(ctx, c, name, tags); err != nil {
				return "", fmt.Errorf("setting SSM Parameter (%s) tags: %w", name, err)
			}
		}
		return name, nil
	},
	read: readParameter,
	update: func(ctx context.Context, c *awsClients, id string, old, in values, changed map[string]bool) (string, error) {
		if remove, set := tagChanges(old["tagsAll"], in["tagsAll"]); changed["tagsAll"] {
			if len(remove) > 0 {
				_, err := c.ssm.RemoveTagsFromResource(ctx, &ssm.RemoveTagsFromResourceInput{
					ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: aws.String(id), TagKeys: remove,
				})
				if err != nil {
					return id, fmt.Errorf("untagging SSM Parameter (%s): %w", id, err)
				}
			}
			if len(set) > 0 {
				if err := tagParameter(ctx, c, id, apiTags(set, parameterTag)); err != nil {
					return id, fmt.Errorf("tagging SSM Parameter (%s): %w", id, err)
				}
			}
		}
		put := maps.Clone(changed)
		for _, name := range []string{"overwrite", "tags", "tagsAll"} {
			delete(put, name)
		}
		if len(put) == 0 {
			return id, nil
		}
		overwrite, chosen := in["overwrite"]
		request := putParameter(id, in, !chosen || boolean(overwrite))
		request.Tier = types.ParameterTier(str(old["tier"]))
		if tier := str(in["tier"]); tier != "" {
			request.Tier = types.ParameterTier(tier)
		}
		// AWS keeps what it is not told.
		if changed["description"] {
			request.Description = aws.String(str(in["description"]))
		}
		if changed["keyId"] && request.Type == types.ParameterTypeSecureString {
			request.KeyId = aws.String(str(in["keyId"]))
		}
		if _, err := c.ssm.PutParameter(ctx, request); err != nil {
			return id, fmt.Errorf("updating SSM Parameter (%s): %w", id, err)
		}
		return id, nil
	},
	delete: func(ctx context.Context, c *awsClients, id string, _ values) error {
		_, err := c.ssm.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: aws.String(id)})
		if err != nil && !isNoSuchParameter(err) {
			return fmt.Errorf("deleting SSM Parameter (%s): %w", id, err)
		}
		return nil
	},
	unstable: func(changed map[string]bool) []string {
		if changed["value"] || changed["description"] {
			return []string{"version"}
		}
		return nil
	},
}

// putParameter is what every call says that puts a parameter.
func putParameter(name string, in values, overwrite bool) *ssm.PutParameterInput {
	return &ssm.PutParameterInput{
		Name:           aws.String(name),
		Type:           types.ParameterType(str(in["type"])),
		Value:          aws.String(str(in["value"])),
		AllowedPattern: aws.String(str(in["allowedPattern"])),
		Overwrite:      aws.Bool(overwrite),
	}
}

func readParameter(ctx context.Context, c *awsClients, id string, prior values) (values, error) {
	got, err := c.ssm.GetParameter(ctx, &ssm.GetParameterInput{Name: aws.String(id), WithDecryption: aws.Bool(true)})
	if isNoSuchParameter(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading SSM Parameter (%s): %w", id, err)
	}
	details, err := describeParameter(ctx, c, aws.ToString(got.Parameter.Name))
	if details == nil || err != nil {
		return nil, err
	}
	tags, err := c.ssm.ListTagsForResource(ctx, &ssm.ListTagsForResourceInput{
		ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: aws.String(id),
	})
	if err != nil {
		return nil, fmt.Errorf("listing tags for SSM Parameter (%s): %w", id, err)
	}
	read := values{
		"name":     property.New(aws.ToString(got.Parameter.Name)),
		"type":     property.New(string(got.Parameter.Type)),
		"value":    property.New(aws.ToString(got.Parameter.Value)),
		"version":  property.New(float64(got.Parameter.Version)),
		"arn":      property.New(aws.ToString(got.Parameter.ARN)),
		"dataType": property.New(aws.ToString(details.DataType)),
		"keyId":    property.New(aws.ToString(details.KeyId)),
		"tier":     property.New(string(details.Tier)),
	}
	if v, ok := prior["overwrite"]; ok {
		read["overwrite"] = v
	}
	setTexts(read, map[string]*string{"description": details.Description, "allowedPattern": details.AllowedPattern})
	setTags(read, prior, tagMap(tags.TagList, parameterTagParts))
	return read, nil
}

// describeParameter is the rest of what AWS says of a parameter, and nil for one that is not there.
func describeParameter(ctx context.Context, c *awsClients, name string) (*types.ParameterMetadata, error) {
	pages := ssm.NewDescribeParametersPaginator(c.ssm, &ssm.DescribeParametersInput{
		ParameterFilters: []types.ParameterStringFilter{{
			Key: aws.String("Name"), Option: aws.String("Equals"), Values: []string{name},
		}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading SSM Parameter metadata (%s): %w", name, err)
		}
		if len(page.Parameters) > 0 {
			return &page.Parameters[0], nil
		}
	}
	return nil, nil
}

func tagParameter(ctx context.Context, c *awsClients, name string, tags []types.Tag) error {
	_, err := c.ssm.AddTagsToResource(ctx, &ssm.AddTagsToResourceInput{
		ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: aws.String(name), Tags: tags,
	})
	return err
}

func stringOrNil(v property.Value) *string {
	if s := str(v); s != "" {
		return &s
	}
	return nil
}

func isNoSuchParameter(err error) bool {
	var notFound *types.ParameterNotFound
	return errors.As(err, &notFound)
}

func parameterTag(key, value *string) types.Tag { return types.Tag{Key: key, Value: value} }

func parameterTagParts(t types.Tag) (key, value *string) { return t.Key, t.Value }
