#include "views/panels/lesson_text.h"

#include <QLocale>
#include <QRegularExpression>
#include <QTextDocument>
#include <algorithm>

#include "core/analysis/lesson_charts.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr int kShareDigits = 2;

}  // namespace

QString lessonNumberText(const LessonNumber& number) {
  if (const auto* text = std::get_if<std::string>(&number.value)) {
    return QString::fromStdString(*text);
  }
  const double value = std::get<double>(number.value);
  switch (number.form) {
    case LessonForm::whole:
      return QLocale().toString(static_cast<qlonglong>(value));
    case LessonForm::bytes:
      return bytesText(value);
    case LessonForm::share:
      return shortNumberText(100 * value, kShareDigits) + QStringLiteral(" %");
    case LessonForm::number:
      break;
  }
  return numberText(value, number.digits);
}

QString lessonHtml(const QString& markdown) {
  QTextDocument document;
  document.setMarkdown(markdown);
  QString html = document.toHtml();
  const qsizetype from = html.indexOf(QLatin1Char('>'), html.indexOf(QLatin1String("<body"))) + 1;
  html = html.mid(from, html.indexOf(QLatin1String("</body>")) - from);
  static const QRegularExpression kBlocks(QStringLiteral("<(p|li|ul|ol|td|table)( [^>]*)>"));
  static const QRegularExpression kCellText(QStringLiteral("(<td>)\\s*<p>(.*?)</p>"));
  static const QRegularExpression kFonts(QStringLiteral(" ?(font-family|font-size):[^;\"]*;"));
  html.replace(kBlocks, QStringLiteral("<\\1>")).replace(kCellText, QStringLiteral("\\1\\2"));
  html.replace(QLatin1String("<table>"), QLatin1String("<table cellpadding=\"3\">"));
  return html.remove(kFonts);
}

LessonText lessonText(const Lesson& lesson, std::size_t step, const LessonData& data,
                      const Work& work) {
  const auto filled = [&](const std::string& text) {
    return QString::fromStdString(fill_lesson_text(
        text, data,
        [](const LessonNumber& number) { return lessonNumberText(number).toStdString(); }, work));
  };
  const LessonStep& of = lesson.steps[step];
  LessonText out{.body = filled(of.body)};
  if (!of.chart.empty()) out.chart = std::make_shared<const Chart>(lesson_chart(of.chart, data));
  for (const LessonQuestion& question : of.question) {
    out.question = filled(question.text);
    for (const std::string& choice : question.choices) out.choices.push_back(filled(choice));
    const QString answer = filled(question.answer);
    if (out.choices.count(answer) == 1) out.right = static_cast<int>(out.choices.indexOf(answer));
    out.why = filled(question.why);
  }
  const auto from = std::ranges::find(lesson.steps, lesson.comparison_from, &LessonStep::id) -
                    lesson.steps.begin();
  if (static_cast<std::ptrdiff_t>(step) >= from) out.comparison = filled(lesson.comparison);
  return out;
}

}  // namespace qaq::views
