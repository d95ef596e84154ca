#include "app/scope/samples.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>

namespace qaq::scope {

QString sampleFile(const QString& name) {
  const QDir program(QCoreApplication::applicationDirPath());
  for (const QString& folder : {program.filePath(QStringLiteral("../share/qaq-scope/samples")),
                                QStringLiteral(QAQ_SAMPLE_FOLDER)}) {
    const QFileInfo file(QDir(folder).filePath(name));
    if (file.isFile()) return QDir::cleanPath(file.absoluteFilePath());
  }
  return {};
}

QList<views::Sample> bundledSamples() {
  const QString letter = sampleFile(QStringLiteral("letter.h5"));
  if (letter.isEmpty()) return {};
  ScopeParams tight;
  set_parameter(tight, "target_quantization_error", 0.03);
  const auto tr = [](const char* text) { return QCoreApplication::translate("Samples", text); };
  return {{tr(QT_TRANSLATE_NOOP("Samples", "A letter")), letter, {}, QStringLiteral("bits")},
          {tr(QT_TRANSLATE_NOOP("Samples", "Where attention jumps")),
           letter,
           {},
           QStringLiteral("attention")},
          {tr(QT_TRANSLATE_NOOP("Samples", "A tight error budget")), letter, tight,
           QStringLiteral("bits")}};
}

}  // namespace qaq::scope
