/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/token.h"

#include <errno.h>
#include <stdint.h>

#include "registry/base64.h"
#include "registry/refusal.h"
#include "tap.h"

static char user[] = "user", password[] = "p:w", identity[] = "id/token";

static void test_requests(void)
{
	struct fb_challenge c = {
		.bearer = true,
		.realm = "https://auth.example/token",
		.service = "reg istry",
		.scope = "repository:a/b:pull repository:c:*"
	};
	struct fb_credential none = { 0 };
	struct fb_credential log_in = { .username = user,
					.password = password };
	struct fb_credential refresh = { .identity_token = identity };
	struct fb_token_request req = { 0 };

	TAP_INT(fb_token_request_build(&c, "a/b", &none, &req, NULL), 0,
		"anonymous");
	TAP_STR(req.url,
		"https://auth.example/token?service=reg%20istry"
		"&scope=repository%3Aa%2Fb%3Apull&scope=repository%3Ac%3A%2A",
		"URL");
	TAP_OK(!req.authorization && !req.form, "nothing secret");
	fb_token_request_release(&req);
	c.scope[0] = c.service[0] = '\0';
	TAP_INT(fb_token_request_build(&c, "a/b", &log_in, &req, NULL), 0,
		"with a log-in");
	TAP_STR(req.url,
		"https://auth.example/token?scope=repository%3Aa%2Fb%3Apull"
		"&account=user",
		"a scope of ours where none is given");
	TAP_STR(req.authorization, "Basic dXNlcjpwOnc=", "Basic");
	fb_token_request_release(&req);
	log_in.ask_identity = true;
	TAP_INT(fb_token_request_build(&c, "a/b", &log_in, &req, NULL), 0,
		"with a log-in that is to be kept");
	TAP_OK(strstr(req.url,
		      "&account=user&client_id=flamebox"
		      "&offline_token=true") != NULL,
	       "%s asks for an identity token", req.url);
	fb_token_request_release(&req);
	TAP_INT(fb_token_request_build(&c, "a/b", &refresh, &req, NULL), 0,
		"with an identity token");
	TAP_STR(req.url, "https://auth.example/token", "no query");
	TAP_STR(req.form,
		"grant_type=refresh_token&service=&client_id=flamebox"
		"&scope=repository%3Aa%2Fb%3Apull&refresh_token=id%2Ftoken",
		"the form");
	TAP_OK(!req.authorization, "no Basic");
	fb_token_request_release(&req);
	(void)snprintf(c.realm, sizeof(c.realm), "https://auth.example/t#x");
	TAP_INT(fb_token_request_build(&c, "a", &none, &req, NULL), -EINVAL,
		"a realm with a fragment");
	(void)snprintf(c.realm, sizeof(c.realm), "file:///etc/passwd");
	TAP_INT(fb_token_request_build(&c, "a", &none, &req, NULL), -EINVAL,
		"a realm that is a file");
}

static void reply(const char *json, int want, const char *token,
		  unsigned int expires_s)
{
	FB_SECRET char *got = NULL;
	uint32_t s = 0;

	TAP_INT(fb_token_reply_parse(json, strlen(json), &got, &s, NULL), want,
		"%s", json);
	TAP_STR(got, token, "token");
	if (want == 0)
		TAP_INT(s, expires_s, "expires in");
}

static void identity_is(const char *json, const char *want)
{
	FB_SECRET char *got = fb_token_identity_parse(json, strlen(json));

	TAP_STR(got, want, "identity token of %s", json);
}

static void test_replies(void)
{
	identity_is("{\"token\":\"t\",\"refresh_token\":\"r\"}", "r");
	identity_is("{\"token\":\"t\"}", NULL);
	identity_is("{\"refresh_token\":\"\"}", NULL);
	identity_is("{\"refresh_token\":\"a b\"}", NULL);
	identity_is("{\"refresh_token\":5}", NULL);
	identity_is("oops", NULL);
	reply("{\"token\":\"t\"}", 0, "t", 60);
	reply("{\"access_token\":\"a\",\"expires_in\":300}", 0, "a", 300);
	reply("{\"token\":\"t\",\"access_token\":\"a\"}", 0, "t", 60);
	reply("{\"token\":\"\",\"access_token\":\"a\"}", 0, "a", 60);
	reply("{\"token\":\"t\",\"expires_in\":-5}", 0, "t", 60);
	reply("{\"token\":\"t\",\"expires_in\":1e30}", 0, "t", 60);
	reply("{\"token\":\"t\",\"expires_in\":99999999999}", 0, "t", 86400);
	reply("{\"token\":\"t\",\"expires_in\":\"9\"}", 0, "t", 60);
	reply("{\"token\":\"a b\"}", -EBADMSG, NULL, 0);
	reply("{\"token\":\"a\\r\\nHost: b\"}", -EBADMSG, NULL, 0);
	reply("{\"token\":\"\xc3\xa9\"}", -EBADMSG, NULL, 0);
	reply("{\"token\":\"\"}", -EBADMSG, NULL, 0);
	reply("{\"token\":1}", -EBADMSG, NULL, 0);
	reply("{}", -EBADMSG, NULL, 0);
	reply("[]", -EBADMSG, NULL, 0);
	reply("", -EBADMSG, NULL, 0);
}

static void test_long_token(void)
{
	FB_SECRET_STR struct fb_str json = FB_STR_INIT(1u << 20);
	FB_SECRET char *got = NULL;
	uint32_t s;

	(void)fb_str_puts(&json, "{\"token\":\"");
	for (unsigned int i = 0; i <= FB_TOKEN_MAX; i++)
		(void)fb_str_putc(&json, 'x');
	(void)fb_str_puts(&json, "\"}");
	TAP_INT(fb_token_reply_parse(json.buf, json.len, &got, &s, NULL),
		-EBADMSG, "a token longer than a header may be");
}

static void test_base64(void)
{
	static const struct {
		const char *plain, *text;
	} cases[] = { { "", "" },
		      { "f", "Zg==" },
		      { "fo", "Zm8=" },
		      { "foo", "Zm9v" },
		      { "foob", "Zm9vYg==" },
		      { "\xff\xfe\xfd", "//79" } };
	static const char *const bad[] = { "Z",	     "Zg",   "Zg=",  "Zh==",
					   "Zm9=",   "Z===", "====", "Zg==Zg==",
					   "Zm9v\n", "Zm-v", "Zm 9" };
	size_t len;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FB_FREE char *text = fb_base64_encode(cases[i].plain,
						      strlen(cases[i].plain));
		FB_FREE char *plain = fb_base64_decode(cases[i].text, &len);

		TAP_STR(text, cases[i].text, "encoded");
		TAP_OK(plain && len == strlen(cases[i].plain) &&
			       memcmp(plain, cases[i].plain, len) == 0,
		       "decoded");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		TAP_OK(!fb_base64_decode(bad[i], &len), "malformed: %s",
		       bad[i]);
}

static void refusal(const char *body, const char *want)
{
	struct fb_refusal r;
	char text[300];

	fb_refusal_parse(body, strlen(body), &r);
	TAP_STR(fb_refusal_text(&r, text), want, "%.40s", body);
}

static void test_refusals(void)
{
	char big[700];

	refusal("{\"errors\":[{\"code\":\"C\",\"message\":\"m\"},{}]}", " (m)");
	refusal("{\"errors\":[{\"code\":\"C\"}]}", " (C)");
	refusal("{\"errors\":[]}", "");
	refusal("{\"errors\":[1]}", "");
	refusal("{\"errors\":{\"a\":1}}", "");
	refusal("{\"details\":\"wrong password\"}", " (wrong password)");
	refusal("{\"error\":\"e\",\"error_description\":\"d\"}", " (d)");
	refusal("<html>", "");
	refusal("", "");
	(void)snprintf(big, sizeof(big),
		       "{\"message\":\"%0254d\xc3\xa9 and more\"}", 1);
	(void)snprintf(big + 400, 290, " (%0254d)", 1);
	refusal(big, big + 400);
}

int main(void)
{
	test_requests();
	test_replies();
	test_long_token();
	test_base64();
	test_refusals();
	return tap_done();
}
