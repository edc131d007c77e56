# SPDX-License-Identifier: Apache-2.0
"""Lists of tags, over pages, and in strange ways."""


class Tags:
    def tag_page(self, conn, tags, link=None):
        conn.json(200, {"name": "x", "tags": tags},
                  [("Link", f'<{link}>; rel="next"')] if link else [])

    def tags_list_pages(self, conn, req):
        """Three pages; a Link in each form; the last tag stands twice"""
        last = req.query.get("last", [""])[0]
        base = f"http://127.0.0.1:{self.port}{req.path}"
        if not last:
            return self.tag_page(conn, ["a", "latest"],
                                 f"{req.path}?n=2&last=latest")
        if last == "latest":
            return self.tag_page(conn, ["latest", "v1.0"],
                                 f"{base}?n=2&last=v1.0")
        if last == "v1.0":
            return self.tag_page(conn, ["x"], "?last=x")
        return self.tag_page(conn, None)

    def tags_list_user(self, conn, req):
        """Every page wants the log-in"""
        if not req.auth.startswith("Bearer good-"):
            return self.ask_bearer(conn, req)
        return self.tags_list_pages(conn, req)

    def tags_list_elsewhere(self, conn, req):
        self.tag_page(conn, ["a"], f"http://127.0.0.1:{self.other_port}/x")

    def tags_list_endless(self, conn, req):
        self.tag_page(conn, ["a", "b"], f"{req.path}?n=2")

    def tags_list_many(self, conn, req):
        self.tag_page(conn, [f"t{i}" for i in range(20000)])

    def tags_list_odd(self, conn, req):
        self.tag_page(conn, ["a", "../b"])

    def tags_list_page(self, conn, req):
        conn.reply(200, b"<html>log in</html>")

    def tags_list_unknown(self, conn, req):
        conn.error(404, "NAME_UNKNOWN", "repository name not known")
