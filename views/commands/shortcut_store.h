#pragma once

#include <QString>

#include "views/models/config_file.h"

namespace qaq::views {

class CommandRegistry;

/// The shortcuts that the user chose, in a file:
///
///   {"format": "qaq-shortcuts", "version": 1, "shortcuts": {"go.layer.next": ["Ctrl+]"]}}
///
/// Only those that differ from the shipped ones are in it. Commands that are not known here are
/// kept: another version knows them.
class ShortcutStore {
 public:
  explicit ShortcutStore(const QString& path) : m_file(path, QStringLiteral("qaq-shortcuts")) {}

  /// Gives `registry` what the file says; no file: nothing. Throws Error{input} with file and place
  /// for one that is broken or gives a shortcut to two commands; nothing is changed then.
  void load(CommandRegistry& registry);
  /// Throws Error{work} where it cannot be written, and Error{input} where the file was broken: it
  /// is not written over.
  void save(const CommandRegistry& registry);

 private:
  ConfigFile m_file;
};

}  // namespace qaq::views
