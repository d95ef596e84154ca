#pragma once

#include "views/models/config_file.h"
#include "views/models/lesson_services.h"

namespace qaq::scope {

/// How far somebody came in each lesson, in a JSON file:
///
///     {"format": "qaq-lessons", "version": 1,
///      "lessons": {"05-budget": {"step": "window", "done": ["tokens", "window"]}}}
///
/// A file that cannot be read counts as empty and one that cannot be written is not.
class LessonFile : public views::LessonStore {
 public:
  explicit LessonFile(const QString& file) : m_file(file, QStringLiteral("qaq-lessons")) {}

  views::LessonProgress progress(const QString& lesson) const override;
  void keep(const QString& lesson, const views::LessonProgress& progress) override;

 private:
  QJsonObject read() const;

  views::ConfigFile m_file;
};

/// The bundled lessons. Hand-outs are written by another run of this program, so that the window
/// waits for nothing. `progressFile`: empty where nothing is to be kept.
views::LessonServices lessonServices(const QString& progressFile);

}  // namespace qaq::scope
