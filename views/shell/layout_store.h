#pragma once

#include <QByteArray>
#include <QMap>
#include <QString>
#include <QStringList>

#include "views/models/config_file.h"
#include "views/shell/plot_page.h"

namespace qaq::views {

/// An arrangement of the window: docks as DockLayout keeps them, and pages of views.
struct NamedLayout {
  QByteArray docks;
  QList<PageLayout> pages;
};

/// Layouts that the user named, in a file:
///
///   {"format": "qaq-layouts", "version": 1,
///    "layouts": {"writing": {"docks": "BASE64", "pages": [{"title": "…", "rows": [["bits"]]}]}}}
class LayoutStore {
 public:
  /// An empty path keeps them until the store is gone.
  explicit LayoutStore(const QString& path = {}) : m_file(path, QStringLiteral("qaq-layouts")) {}

  /// Throws Error{input} where the file is broken.
  void load();
  QStringList names() const { return m_layouts.keys(); }
  bool contains(const QString& name) const { return m_layouts.contains(name); }
  NamedLayout layout(const QString& name) const { return m_layouts.value(name); }
  /// Throws Error{work} where the file cannot be written.
  void put(const QString& name, const NamedLayout& layout);
  void remove(const QString& name);

 private:
  void save() const;

  ConfigFile m_file;
  QMap<QString, NamedLayout> m_layouts;
};

}  // namespace qaq::views
