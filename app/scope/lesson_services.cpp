#include "app/scope/lesson_services.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QProcess>
#include <utility>

#include "app/scope/samples.h"
#include "core/base/error.h"
#include "data/lessons/lesson_file.h"
#include "data/lessons/measured_file.h"

namespace qaq::scope {
namespace {

constexpr QLatin1String kLessons("lessons"), kStep("step"), kDone("done");

void writeHandOut(const QString& lesson, const QString& path,
                  std::function<void(const QString&)> finished) {
  auto* program = new QProcess(qApp);
  QObject::connect(program, &QProcess::finished, program,
                   [program, finished](int code, QProcess::ExitStatus status) {
                     const bool written = code == 0 && status == QProcess::NormalExit;
                     const QString line =
                         QString::fromUtf8(program->readAllStandardError()).trimmed();
                     finished(written ? QString() : line.isEmpty() ? program->errorString() : line);
                     program->deleteLater();
                   });
  QObject::connect(program, &QProcess::errorOccurred, program,
                   [program, finished](QProcess::ProcessError error) {
                     if (error != QProcess::FailedToStart) return;  // the others finish, too
                     finished(program->errorString());
                     program->deleteLater();
                   });
  program->start(QCoreApplication::applicationFilePath(),
                 {QStringLiteral("lesson"), lesson, QStringLiteral("--export"), path});
}

}  // namespace

QJsonObject LessonFile::read() const {
  try {
    return m_file.read()[kLessons].toObject();
  } catch (const Error&) {
    return {};
  }
}

views::LessonProgress LessonFile::progress(const QString& lesson) const {
  const QJsonObject json = read()[lesson].toObject();
  views::LessonProgress progress{.step = json[kStep].toString()};
  for (const QJsonValue& id : json[kDone].toArray()) progress.done.push_back(id.toString());
  return progress;
}

void LessonFile::keep(const QString& lesson, const views::LessonProgress& progress) {
  QJsonObject all = read();
  all[lesson] =
      QJsonObject{{kStep, progress.step}, {kDone, QJsonArray::fromStringList(progress.done)}};
  try {
    m_file.write({{kLessons, all}}, "");
  } catch (const Error&) {
    // A lesson works as well without it.
  }
}

views::LessonServices lessonServices(const QString& progressFile) {
  views::LessonServices services;
  for (const std::string& name : lesson_names()) services.lessons.push_back(read_lesson(name));
  services.measured = std::make_shared<const MeasuredRuns>(bundled_measured_runs());
  services.samplePath = [](const std::string& sample) {
    return sampleFile(QString::fromStdString(sample) + QStringLiteral(".h5"));
  };
  if (!progressFile.isEmpty()) services.store = std::make_shared<LessonFile>(progressFile);
  services.handOut = writeHandOut;
  return services;
}

}  // namespace qaq::scope
