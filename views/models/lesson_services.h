#pragma once

#include <QString>
#include <QStringList>
#include <functional>
#include <memory>
#include <vector>

#include "core/analysis/lesson.h"
#include "core/analysis/lesson_numbers.h"

namespace qaq::views {

/// How far somebody came in a lesson.
struct LessonProgress {
  QString step{};      ///< id of the one that was looked at last; empty: never opened
  QStringList done{};  ///< ids of steps

  friend bool operator==(const LessonProgress&, const LessonProgress&) = default;
};

/// Keeps it from one run to the next.
class LessonStore {
 public:
  virtual ~LessonStore() = default;
  virtual LessonProgress progress(const QString& lesson) const = 0;
  virtual void keep(const QString& lesson, const LessonProgress& progress) = 0;
};

/// Writes a lesson's hand-out without making anybody wait; `finished` is told why it failed, or
/// nothing.
using HandOutMaker = std::function<void(const QString& lesson, const QString& path,
                                        std::function<void(const QString& error)> finished)>;

/// Lessons are files, which the program knows. Without any none are offered.
struct LessonServices {
  std::vector<Lesson> lessons{};
  std::shared_ptr<const MeasuredRuns> measured{};
  /// Where a sample is that a lesson needs; empty: it is not there.
  std::function<QString(const std::string& sample)> samplePath{};
  std::shared_ptr<LessonStore> store{};
  HandOutMaker handOut{};
};

}  // namespace qaq::views
