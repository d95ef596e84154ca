#include "views/shell/layout_store.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>

#include "core/base/error.h"
#include "core/base/text.h"
#include "views/plots/view_list.h"

namespace qaq::views {
namespace {

constexpr QLatin1String kFormat("qaq-layouts"), kPages("pages"), kRows("rows"), kTitle("title"),
    kDocks("docks"), kLayouts("layouts");

QJsonArray toJson(const QList<PageLayout>& pages) {
  QJsonArray all;
  for (const PageLayout& page : pages) {
    QJsonArray rows;
    for (const QStringList& row : page.rows) rows.push_back(QJsonArray::fromStringList(row));
    all.push_back(QJsonObject{{kTitle, page.title}, {kRows, rows}});
  }
  return all;
}

// Views that this version does not know are left out.
QList<PageLayout> pagesFrom(const QJsonArray& array) {
  QList<PageLayout> pages;
  for (const QJsonValue& value : array) {
    PageLayout page{.title = value[kTitle].toString(), .rows = {}};
    for (const QJsonValue& row : value[kRows].toArray()) {
      QStringList ids;
      for (const QJsonValue& id : row.toArray()) {
        if (viewIds().contains(id.toString())) ids.push_back(id.toString());
      }
      if (!ids.isEmpty()) page.rows.push_back(ids);
    }
    if (!page.rows.isEmpty()) pages.push_back(page);
  }
  return pages;
}

}  // namespace

void LayoutStore::load() {
  QFile file(m_path);
  if (m_path.isEmpty() || !file.exists()) return;
  const auto refuse = [this](const std::string& place, const std::string& what) {
    refuse_input({.file = m_path.toStdString(),
                  .place = place,
                  .what = what,
                  .cure = "mend the file or delete it"});
  };
  if (!file.open(QIODevice::ReadOnly)) refuse("", "cannot be read");
  QJsonParseError error;
  const QJsonObject root = QJsonDocument::fromJson(file.readAll(), &error).object();
  if (error.error != QJsonParseError::NoError) {
    refuse(cat("byte ", error.offset), "is not valid JSON: " + error.errorString().toStdString());
  }
  if (root[QLatin1String("format")].toString() != kFormat) refuse("format", "is not qaq-layouts");
  const QJsonObject layouts = root[kLayouts].toObject();
  for (auto it = layouts.begin(); it != layouts.end(); ++it) {
    const QJsonObject layout = it.value().toObject();
    m_layouts[it.key()] = {QByteArray::fromBase64(layout[kDocks].toString().toLatin1()),
                           pagesFrom(layout[kPages].toArray())};
  }
}

void LayoutStore::put(const QString& name, const NamedLayout& layout) {
  m_layouts[name] = layout;
  save();
}

void LayoutStore::remove(const QString& name) {
  m_layouts.remove(name);
  save();
}

void LayoutStore::save() const {
  if (m_path.isEmpty()) return;
  QJsonObject layouts;
  for (auto it = m_layouts.begin(); it != m_layouts.end(); ++it) {
    layouts[it.key()] = QJsonObject{{kDocks, QString::fromLatin1(it->docks.toBase64())},
                                    {kPages, toJson(it->pages)}};
  }
  const QJsonObject root{
      {QLatin1String("format"), kFormat}, {QLatin1String("version"), 1}, {kLayouts, layouts}};
  QDir().mkpath(QFileInfo(m_path).absolutePath());
  QSaveFile file(m_path);
  if (!file.open(QIODevice::WriteOnly) || file.write(QJsonDocument(root).toJson()) < 0 ||
      !file.commit()) {
    throw Error(ErrorKind::work, {.file = m_path.toStdString(),
                                  .what = "cannot be written: " + file.errorString().toStdString(),
                                  .cure = "the layout holds until the window is closed"});
  }
}

}  // namespace qaq::views
