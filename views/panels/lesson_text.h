#pragma once

#include <QString>
#include <QStringList>
#include <memory>

#include "core/analysis/chart.h"
#include "core/analysis/lesson.h"
#include "core/analysis/lesson_numbers.h"

namespace qaq::views {

/// A number of a lesson as the window writes it.
QString lessonNumberText(const LessonNumber& number);

/// Markdown as the body of an HTML page, with room between paragraphs and plain tables; fonts are
/// those of where it stands.
QString lessonHtml(const QString& markdown);

/// A step with its numbers filled in. Texts are Markdown.
struct LessonText {
  QString body{};
  QString question{};
  QStringList choices{};
  /// The one that is right; -1: none or several are, because the capture at hand is not the one
  /// that the question is about.
  int right = -1;
  QString why{};
  QString comparison{};                  ///< empty before the step that it begins with
  std::shared_ptr<const Chart> chart{};  ///< null: the step has none
};

/// May take as long as what its numbers are computed from. Throws what lesson_number() throws.
LessonText lessonText(const Lesson& lesson, std::size_t step, const LessonData& data,
                      const Work& work = {});

}  // namespace qaq::views
