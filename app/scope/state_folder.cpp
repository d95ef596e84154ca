#include "app/scope/state_folder.h"

#include <QDir>

namespace qaq::scope {

QString stateFolder() {
  QString base = qEnvironmentVariable("XDG_STATE_HOME");
  if (!QDir::isAbsolutePath(base)) base = QDir::home().filePath(QStringLiteral(".local/state"));
  return QDir(base).filePath(QStringLiteral("qaq-scope"));
}

}  // namespace qaq::scope
