"""What comes before any resource: identity endpoint, cloud metadata, tenants and subscriptions."""

from __future__ import annotations

from azuresim.answer import Answer, Json, Refused, ok
from azuresim.ids import tenant_id
from azuresim.routing import Request, route


@route("GET", "/msi/token", open=True)
def token(request: Request) -> Answer:
    """The App Service flavour of managed identity."""
    tokens = request.azure.tokens
    if request.headers.get("x-identity-header") != tokens.header:
        raise Refused(401, "Unauthorized", "The X-IDENTITY-HEADER is missing or wrong.")
    return ok(tokens.issue(request.query.get("resource", request.base), request.azure.seed))


@route("GET", "/metadata/endpoints", open=True)
def endpoints(request: Request) -> Answer:
    """What ``az cloud register`` asks. One object: a list would crash it."""
    base = request.base
    return ok(
        {
            "name": "AzureSimulator",
            "portal": base,
            "authentication": {
                "loginEndpoint": base,
                "audiences": [base],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "resourceManager": base,
            "graph": base,
            "graphAudience": base,
            "microsoftGraphResourceId": base,
            "media": base,
            "batch": base,
            "sqlManagement": base,
            "activeDirectoryDataLake": base,
            "appInsightsResourceId": base,
            "appInsightsTelemetryChannelResourceId": base,
            "synapseAnalyticsResourceId": base,
            "logAnalyticsResourceId": base,
            "ossrDbmsResourceId": base,
            "vmImageAliasDoc": base,
            "suffixes": {
                "storage": "core.azuresim.invalid",
                "keyVaultDns": "vault.azuresim.invalid",
                "sqlServerHostname": "database.azuresim.invalid",
                "acrLoginServer": "acr.azuresim.invalid",
            },
        }
    )


@route("GET", "/tenants")
def tenants(request: Request) -> Answer:
    """The one tenant."""
    tenant = tenant_id(request.azure.seed)
    return ok(
        {"value": [{"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Simulated", "countryCode": "US"}]}
    )


@route("GET", "/subscriptions")
def subscriptions(request: Request) -> Answer:
    """One subscription per seed, and those of vaults that are elsewhere."""
    names = dict.fromkeys(name for world in request.azure.worlds for name in world.subscriptions)
    return request.page([_subscription(name, request.azure.seed) for name in names])


@route("GET", "/subscriptions/{sub}")
def subscription(request: Request) -> Answer:
    """One subscription."""
    return ok(_subscription(request.params["sub"], request.azure.seed))


def _subscription(name: str, seed: int) -> Json:
    return {
        "id": f"/subscriptions/{name}",
        "subscriptionId": name,
        "tenantId": tenant_id(seed),
        "displayName": "Simulated",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off",
        },
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
    }


@route(
    "GET",
    "/providers/Microsoft.Management/managementGroups/{group}/descendants",
    "Microsoft.Management/managementGroups/descendants/read",
)
def descendants(request: Request) -> Answer:
    """Every subscription is below every management group, each of which has one group of its own in between."""
    between = f"/providers/Microsoft.Management/managementGroups/{request.params['group']}-below"
    subscriptions = dict.fromkeys(world.subscription for world in request.azure.worlds)
    below = [{"id": between, "type": "Microsoft.Management/managementGroups", "name": between.rpartition("/")[2]}]
    below += [
        {"id": f"/subscriptions/{each}", "type": "Microsoft.Management/managementGroups/subscriptions", "name": each}
        for each in subscriptions
    ]
    return request.page(below)
