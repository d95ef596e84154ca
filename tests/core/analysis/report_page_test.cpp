#include "core/analysis/report_page.h"

#include <gtest/gtest.h>

namespace qaq {
namespace {

// RFC 4648, section 10.
TEST(ReportPage, Base64) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64(std::string("\xff\xfe\x00", 3)), "//4A");
}

Page hostile() {
  const std::string bad = "<script>alert('x')</script> & \"q\" | [a](b) `c` *d*\n# e";
  Page page{bad};
  page.heading(bad);
  page.paragraph(bad);
  page.list({bad});
  page.table({{bad, "head"}, {bad, "cell"}});
  page.code(bad);
  page.picture({.title = bad, .png = "foobar", .file = "why (1)-what.png"});
  page.picture({.title = bad, .why_not = "because <b>"});
  return page;
}

TEST(ReportPage, HtmlHoldsNothingButItsOwnTags) {
  const std::string html = page_html(hostile());
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("<b>"), std::string::npos);
  EXPECT_EQ(html.find("\"q\""), std::string::npos) << "an attribute could be left";
  EXPECT_NE(html.find("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;q&quot;"),
            std::string::npos);
  EXPECT_NE(html.find("src=\"data:image/png;base64,Zm9vYmFy\""), std::string::npos);
  EXPECT_NE(html.find("because &lt;b&gt;"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos) << "it opens offline";
}

TEST(ReportPage, MarkdownReadsTextAsText) {
  const std::string text = page_markdown(hostile());
  EXPECT_NE(text.find("\\<script\\>alert('x')\\</script\\> \\& \"q\" \\| \\[a\\](b) \\`c\\` "
                      "\\*d\\* \\# e"),
            std::string::npos);
  EXPECT_NE(text.find("    <script>alert('x')</script> & \"q\" | [a](b) `c` *d*\n    # e\n"),
            std::string::npos)
      << "code is indented, line by line";
  EXPECT_NE(text.find("](<why (1)-what.png>)"), std::string::npos);
  EXPECT_NE(text.find("| head |\n|---|---|\n| "), std::string::npos);
}

TEST(ReportPage, ColumnsOfNumbersEndAlike) {
  Page page{"t"};
  page.table({{"name", "KL"}, {"1", "<0.001"}, {"b 2", "-"}});
  EXPECT_NE(page_markdown(page).find("| name | KL |\n|---|---:|\n"), std::string::npos);
  EXPECT_NE(page_html(page).find("<tr><td>b 2</td><td class=\"n\">-</td></tr>"), std::string::npos);
}

}  // namespace
}  // namespace qaq
