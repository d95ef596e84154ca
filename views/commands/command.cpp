#include "views/commands/command.h"

namespace qaq::views {

QString shortcutsText(const QList<QKeySequence>& shortcuts) {
  QStringList texts;
  for (const QKeySequence& key : shortcuts) {
    texts.push_back(key.toString(QKeySequence::NativeText));
  }
  return texts.join(QStringLiteral(", "));
}

}  // namespace qaq::views
