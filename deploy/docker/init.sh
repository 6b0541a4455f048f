#!/bin/sh
# Run once, beside the control plane: a certificate for the broker, a join token and a Workload for each service.
# Environment: WEFT_CONTROL_PLANE_URL, WEFT_ADMIN_TOKEN_FILE, TLS_DIR and TOKENS_DIR (where the results go), SERVICES.
set -eu

weft certs issue --namespace kafka --service-account kafka --dns kafka --ttl 30d --out "$TLS_DIR" --quiet
# Kafka wants key and certificate in one file.
cat "$TLS_DIR/key.pem" "$TLS_DIR/certificate.pem" > "$TLS_DIR/broker.pem"

for service in $SERVICES; do
  (umask 077 && weft token create --service-account "$service" --ttl 1h --quiet > "$TOKENS_DIR/$service")
  weft apply --quiet -f - <<RESOURCE
apiVersion: mesh.weft.dev/v1
kind: Workload
metadata: { name: $service, labels: { app: $service } }
spec: { serviceAccount: $service, address: $service, inboundPort: 15006, appPort: 8080, adminPort: 15020 }
RESOURCE
done
