// The page at / and its files. Clients that want no HTML at / are Ollama's, who look for a sign of
// life there.
#include "serve/page.h"
#include "serve/routes.h"

namespace hadal {

void AddPageRoutes(Router* router) {
  const auto page = std::make_shared<const Page>(WebFiles());
  router->Add({"GET", "/", Access::Public(), [page](const auto& exchange) {
                 const HttpRequest& request = exchange->request();
                 const bool html =
                     request.headers.Find("Accept").find("text/html") != std::string_view::npos;
                 if (html && page->Has("/index.html"))
                   return exchange->Send(page->Answer("/index.html", request));
                 exchange->Send(
                     HttpResponse::Text(html ? "Hadal is running. It was built without its page.\n"
                                             : "Ollama is running"));
               }});
  router->Add("GET", {"/assets/{file...}", "/index.html"}, Access::Public(),
              [page](const auto& exchange) {
                const HttpRequest& request = exchange->request();
                exchange->Send(page->Answer(request.path, request));
              });
}

}  // namespace hadal
