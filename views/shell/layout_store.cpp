#include "views/shell/layout_store.h"

#include <QJsonArray>
#include <QJsonObject>

#include "views/plots/view_list.h"

namespace qaq::views {
namespace {

constexpr QLatin1String kPages("pages"), kRows("rows"), kTitle("title"), kDocks("docks"),
    kLayouts("layouts");

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
  if (m_file.path().isEmpty()) return;
  const QJsonObject layouts = m_file.read()[kLayouts].toObject();
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
  if (m_file.path().isEmpty()) return;
  QJsonObject layouts;
  for (auto it = m_layouts.begin(); it != m_layouts.end(); ++it) {
    layouts[it.key()] = QJsonObject{{kDocks, QString::fromLatin1(it->docks.toBase64())},
                                    {kPages, toJson(it->pages)}};
  }
  m_file.write({{kLayouts, layouts}}, "the layout holds until the window is closed");
}

}  // namespace qaq::views
